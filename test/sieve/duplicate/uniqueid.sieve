require ["duplicate","variables"]; if header :matches "subject" "* report*" { if duplicate :uniqueid "${1}" { discard; } }
