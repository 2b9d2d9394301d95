"""What do calls get beside their items, and how is that loaded, once, for all who wait?"""
