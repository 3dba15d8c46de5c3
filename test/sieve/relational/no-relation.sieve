require "relational"; if header :count { keep; }
