require ["duplicate", "fileinto", "variables"];
if header :matches "subject" "*" {
  if duplicate :uniqueid "${0}" { fileinto "id"; }
}
if duplicate :header "subject" { fileinto "header"; }
