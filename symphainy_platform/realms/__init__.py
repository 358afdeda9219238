"""The realms that this package ships; each comes through the same door as a foreign one."""
