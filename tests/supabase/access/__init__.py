"""Who may do what to every table: the matrix, a world to try it in, and the trials."""
