"""The embedded faces: a renderer of heads in the grammar of KDEF. numpy only; imports no other room."""
