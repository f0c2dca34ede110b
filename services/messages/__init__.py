"""What the documents of both doors are made of: schemas, and one scenario that gives the examples."""
