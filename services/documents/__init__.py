"""What the documents of both doors are made of: schemas, and one story that gives the examples."""
