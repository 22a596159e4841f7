"""What commands print and draw of levels, leaderboards and synergy. No service loads this."""
