"""A context that there is not: somebody is greeted, and answers. It shows what a context brings, and how it joins."""
