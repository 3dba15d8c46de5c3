require ["include","fileinto","variables"];
return; discard;
