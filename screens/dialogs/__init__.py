"""What is asked in front of a screen. Esc closes each without an answer."""
