require "duplicate";
if duplicate :header "Subject:" { discard; }
