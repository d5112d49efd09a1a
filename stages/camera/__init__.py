"""How the camera and the subjects move, and what people call it."""
