require "ihave"; if ihave "vnd.example.fly" { fly :high "x"; } else { discard; }
