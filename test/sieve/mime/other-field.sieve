require ["mime", "fileinto", "relational", "comparator-i;ascii-numeric"];
if header :mime :anychild :subtype "content-disposition" "" { fileinto "disposition"; }
if header :mime :type "subject" "" { fileinto "subject"; }
if header :mime :contenttype :contains "subject" "with" { fileinto "no"; }
if header :mime :anychild :subtype :count "eq" :comparator "i;ascii-numeric" ["content-disposition", "subject"] "1" {
  fileinto "one";
}
