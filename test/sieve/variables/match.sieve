require ["variables","fileinto"];
if header :matches "subject" "* report for ? *" { fileinto "${1}/${2}/${3}/${0}"; }
