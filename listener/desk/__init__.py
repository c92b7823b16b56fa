"""What people do: each function one act and one transaction."""
