"""One module a screen, in the order an operator meets them; dialogs beside them."""
