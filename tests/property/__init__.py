"""Laws that every run obeys, tested over generated markets and orders."""
