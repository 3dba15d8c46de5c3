require "fileinto";
if address :localpart "bcc" "nobody" { fileinto "local"; }
if address :domain :contains "bcc" "" { fileinto "domain"; }
if address "bcc" "nobody" { fileinto "all"; }
