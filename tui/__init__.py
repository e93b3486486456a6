"""The Textual shell around the engine: it renders events, sends commands, and decides nothing."""
