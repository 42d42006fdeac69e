"""Floor 2, the rules: values in, values out; nothing here touches the world."""
