require "redirect-dsn"; redirect :ret "body" "x@example.com";
