require ["reject","ereject"]; ereject "a";
reject "b";
