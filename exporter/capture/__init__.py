"""The model as a traced function: its inputs and outputs by name, its layers' calls, and what of Keras is replaced for it."""
