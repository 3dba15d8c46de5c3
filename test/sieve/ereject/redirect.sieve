require ["ereject","copy"]; redirect :copy "x@example.com";
ereject "b";
