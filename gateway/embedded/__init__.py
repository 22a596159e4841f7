"""The embedded generalist: a small real model behind one local HTTP server, so that only packages are needed.

It is an agent in the paper's sense: SmolLM2-135M answers (llama.cpp), and RapidOCR reads the text in images for it.
Others reach it as they reach any OpenAI-compatible server; only ``launcher`` and ``install`` are meant for other rooms.
"""
