redirect "a@example.com"; keep;
 redirect "b@example.com";
