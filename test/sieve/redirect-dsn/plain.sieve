require "redirect-dsn"; redirect :notify "FAILURE" :ret "HDRS" "x@example.com";
