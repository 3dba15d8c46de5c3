require ["redirect-dsn","variables"]; set "r" "now";
redirect :notify "${r}" "x@example.com";
