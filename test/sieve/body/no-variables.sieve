require ["body","variables","fileinto"];
if header :matches "subject" "* report *" {
  if body :matches "*costs * EUR*" {
    fileinto "${1}";
  }
}
