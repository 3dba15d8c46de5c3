require "redirect-dsn"; redirect :notify "sometimes" "x@example.com";
