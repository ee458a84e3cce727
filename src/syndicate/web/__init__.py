"""What is served: reader pages, feeds and one-click."""
