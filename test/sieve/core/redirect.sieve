redirect "else@example.com";
