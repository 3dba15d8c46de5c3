require "enclose"; enclose :headers ["X-Number","X-Why: because"] "text";
