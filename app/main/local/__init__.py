"""Everything on one machine: private servers, the processes on top of them, and how they are found again."""
