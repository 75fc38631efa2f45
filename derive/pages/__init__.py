"""What is shown: the blocks of a page and the ways to write them."""
