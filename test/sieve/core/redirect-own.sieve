redirect "Ann@example.org";
