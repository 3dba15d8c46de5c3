require "redirect-dsn"; redirect :notify "never" "x@example.com";
