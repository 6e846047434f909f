"""How many of each for so many payments a second: plain arithmetic on what the benchmark has measured."""
