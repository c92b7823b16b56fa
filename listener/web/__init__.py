"""The pages and the doors that listen on HTTP."""
