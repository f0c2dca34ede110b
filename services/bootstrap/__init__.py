"""What each process is made of, a module for each: started in order and stopped in reverse."""
