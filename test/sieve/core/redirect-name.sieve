redirect "\"Bob, B.\" <bob@example.net>";
