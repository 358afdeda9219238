"""The Supabase store: where only the API of a Supabase project can be reached, one rpc per commit."""
