"""Practice for training: things that go wrong, a world to act in meanwhile, and a debrief. `catalogue` has them all."""
