require ["redirect-dsn","variables"]; set "r" "body";
redirect :ret "${r}" "x@example.com";
