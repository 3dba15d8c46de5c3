redirect "else@example.com"; redirect "ELSE@example.com";
