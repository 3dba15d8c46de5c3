if true { keep; } if true { redirect "x@example.com"; }
