"""Metrics of regions: boxes, masks, keypoints, tracks and relations, in pictures and in space."""
