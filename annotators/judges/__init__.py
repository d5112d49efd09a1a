"""Judges that ask models: each says of one label whether it may stay, and why.

Here: one module a judge, the interface, and the models that are asked together. Not here: judges that measure or count
(`stages`), or the order in which they judge (`pipeline.plan`).
"""
