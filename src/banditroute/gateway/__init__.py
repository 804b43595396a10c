"""The router behind HTTP: any OpenAI or Anthropic client may point at it."""
