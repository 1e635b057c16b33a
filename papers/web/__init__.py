"""HTTP building blocks: client IP, rate limiting, pagination, cursors, problem details."""
