"""What makes a node's software from the sources: releases, and the first image of a bare board."""
