require ["editheader","relational"]; deleteheader :count "eq" "x-tag" "2";
